// The tables that Python sends: everything the board shows, at every position that a handle can take.

/** The face's own small header, then the tables as bytes. */
function openEnvelope(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const settings = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { settings, bytes: bytes.subarray(4 + length) };
}

class Tables {
  constructor(bytes) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const start = Math.ceil((4 + length) / 8) * 8;
    Object.assign(this, JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))));
    // A Float64Array must begin at a multiple of 8, which only a copy is sure to do.
    this.floats = new Float64Array(bytes.slice(start).buffer);
    this.place = new Map();
    let offset = 0;
    for (const { name, size } of this.columns) {
      this.place.set(name, { start: offset, size });
      offset += size;
    }
    this.byName = new Map(this.handles.map((handle) => [handle.name, handle]));
    for (const handle of this.handles) {
      handle.byName = new Map(handle.columns.map((column) => [column.name, column]));
      handle.varying = handle.columns.filter((column) => this.place.has(column.name));
      const t = handle.byName.get("t");
      handle.positions = this.floats.subarray(t.offset, t.offset + handle.count);
      handle.flat = handle.index.length === 2 ? handle.index[0] * this.classes + handle.index[1] : handle.index[0];
      handle.simplex = this.kind === "distributions" && handle.variable === "target";
      // An axis from 0 to 1 is the whole domain; the others are only as wide as the present numbers need.
      handle.unit = handle.low === 0 && handle.high === 1;
    }
  }

  /** Names the shape of the board: where it stays the same, nothing needs to be built anew. */
  structure() {
    const { loss, kind, samples, classes, axis, labels } = this;
    const handles = this.handles.map(({ name, low, high, choices }) => [name, low, high, choices]);
    return JSON.stringify([loss, kind, samples, classes, axis, labels, handles]);
  }

  /** Whether a state of one is a state of the other. */
  fits(other) {
    return this.loss === other.loss && this.samples === other.samples && this.classes === other.classes;
  }

  /** The whole row of the present state, or with a handle at one of its positions. */
  row(handle, position, into = new Float64Array(this.width)) {
    into.set(this.floats.subarray(this.base, this.base + this.width));
    for (const { name, start, size, offset } of handle ? handle.varying : []) {
      const from = offset + position * size;
      into.set(this.floats.subarray(from, from + size), this.place.get(name).start + start);
    }
    return into;
  }

  pathRow(index, into = new Float64Array(this.width)) {
    const from = this.path.offset + index * this.width;
    into.set(this.floats.subarray(from, from + this.width));
    return into;
  }

  column(row, name) {
    const { start, size } = this.place.get(name);
    return row.subarray(start, start + size);
  }

  /** What a handle's table alone holds, such as its slope; undefined where it has no such column. */
  along(handle, name, position) {
    const column = handle.byName.get(name);
    return column && this.floats[column.offset + position * column.size];
  }

  /** A whole-row number at a position of the handle. */
  valueAt(handle, position) {
    const column = handle.byName.get("value");
    return column ? this.floats[column.offset + position * column.size] : this.floats[this.base + this.place.get("value").start];
  }

  nearest(handle, t) {
    const { positions, count } = handle;
    let low = 0;
    let high = count - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (positions[middle] <= t) low = middle;
      else high = middle;
    }
    return t - positions[low] <= positions[high] - t ? low : high;
  }

  /**
   * Predictions and targets with the handle at `t`, which need not be one of its positions. Between positions they lie
   * on a line (one number moves, or a row of probabilities is rescaled), so this is exact; outside only one number moves.
   */
  valuesAt(handle, t) {
    const nearest = this.nearest(handle, t);
    const values = this.values(this.row(handle, nearest));
    const exact = handle.positions[nearest];
    if (t !== exact) {
      const other = Math.min(Math.max(nearest + (t > exact ? 1 : -1), 0), handle.count - 1);
      if (handle.simplex && other !== nearest) {
        const weight = (t - exact) / (handle.positions[other] - exact);
        const neighbour = this.values(this.row(handle, other));
        values.target = values.target.map((value, index) => value + weight * (neighbour.target[index] - value));
      }
      values[handle.variable][handle.flat] = t;
    }
    return values;
  }

  values(row) {
    return { prediction: [...this.column(row, "prediction")], target: [...this.column(row, "target")] };
  }
}

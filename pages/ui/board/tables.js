// The tables that Python sends: everything the board shows, at every position that a handle can take.
//
// A position of a handle is the number of its row: of a plane, x counts slowly and y fast.

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
    this.pathFloats = this.floats;
    this.place = new Map();
    let offset = 0;
    for (const { name, size } of this.columns) {
      this.place.set(name, { start: offset, size });
      offset += size;
    }
    this.variableOf = new Map(this.variables.map((variable) => [variable.name, variable]));
    this.byName = new Map(this.handles.map((handle) => [handle.name, handle]));
    for (const handle of this.handles) {
      handle.grid = handle.positions.map((from, axis) => this.floats.subarray(from, from + handle.counts[axis]));
      handle.count = handle.counts.reduce((product, count) => product * count, 1);
      this.fillHandle(handle, handle.columns, this.floats);
    }
  }

  fillHandle(handle, columns, floats) {
    handle.floats = floats;
    handle.columns = columns;
    handle.byName = new Map(columns.map((column) => [column.name, column]));
    handle.varying = columns.filter((column) => this.place.has(column.name));
  }

  /** Takes over what earlier tables of the same state hold and these do not: tables of handles, the path that led here. */
  inherit(earlier) {
    const present = this.row();
    const before = earlier.row();
    const same =
      this.structure() === earlier.structure() &&
      JSON.stringify([this.reduction, this.parameters]) === JSON.stringify([earlier.reduction, earlier.parameters]) &&
      present.every((value, index) => Object.is(value, before[index]));
    if (!same) return;
    for (const handle of this.handles) {
      const old = earlier.byName.get(handle.name);
      if (handle.loaded || !old.loaded || String(handle.counts) !== String(old.counts)) continue;
      this.fillHandle(handle, old.columns, old.floats);
      handle.loaded = true;
    }
    if (earlier.path && !this.path) {
      [this.path, this.outcome, this.pathFloats] = [earlier.path, earlier.outcome, earlier.pathFloats];
      this.playedBefore = true;
    }
  }

  /** Names the shape of the board: where it stays the same, nothing needs to be built anew. */
  structure() {
    const { loss, kind, samples, full, min_samples, scene, labels } = this;
    const variables = this.variables.map(({ name, label, role, shape }) => [name, label, role, shape]);
    const handles = this.handles.map(({ name, choices }) => [name, choices]);
    return JSON.stringify([loss, kind, samples, full, min_samples, scene, labels, variables, handles]);
  }

  /** Whether a state of one is a state of the other. */
  fits(other) {
    const shapes = ({ loss, variables }) => JSON.stringify([loss, variables.map(({ name, shape }) => [name, shape])]);
    return shapes(this) === shapes(other);
  }

  variable(name) {
    return this.variableOf.get(name);
  }

  // Rows

  /** The whole row of the present state, or with a handle at one of its positions. */
  row(handle, position, into = new Float64Array(this.width)) {
    into.set(this.floats.subarray(this.base, this.base + this.width));
    for (const { name, start, size, offset } of handle ? handle.varying : []) {
      const from = offset + position * size;
      into.set(handle.floats.subarray(from, from + size), this.place.get(name).start + start);
    }
    return into;
  }

  pathRow(index, into = new Float64Array(this.width)) {
    const from = this.path.offset + index * this.width;
    into.set(this.pathFloats.subarray(from, from + this.width));
    return into;
  }

  column(row, name) {
    const { start, size } = this.place.get(name);
    return row.subarray(start, start + size);
  }

  has(name) {
    return this.place.has(name);
  }

  /** The gradient of the loss with respect to a variable, flat; null where it has none. */
  gradient(row, variable) {
    const name = `gradient.${variable}`;
    return this.has(name) ? this.column(row, name) : null;
  }

  /** All variables as flat numbers by name. */
  values(row) {
    return Object.fromEntries(this.variables.map(({ name }) => [name, [...this.column(row, name)]]));
  }

  // Along a handle

  /** What a handle's table alone holds, such as its slope; undefined where it has no such column. */
  along(handle, name, position, k = 0) {
    const column = handle.byName.get(name);
    return column && handle.floats[column.offset + position * column.size + k];
  }

  /** The loss at a position of the handle. */
  valueAt(handle, position) {
    const column = handle.byName.get("value");
    return column
      ? handle.floats[column.offset + position * column.size]
      : this.floats[this.base + this.place.get("value").start];
  }

  /** Whether the loss is the same wherever the handle stands. */
  constant(handle) {
    return handle.loaded && !handle.byName.has("value");
  }

  /** The steps along each axis that a position is: [index], or [ix, iy] of a plane. */
  indices(handle, position) {
    if (handle.kind !== "plane") return [position];
    const [, many] = handle.counts;
    return [Math.floor(position / many), position % many];
  }

  positionIndex(handle, ix, iy) {
    return ix * handle.counts[1] + iy;
  }

  /** A position as numbers: [t], or [tx, ty] of a plane. */
  coordinates(handle, position) {
    return this.indices(handle, position).map((index, axis) => handle.grid[axis][index]);
  }

  /** What a handle stands at in a row; where it is no number of a variable, its position says it. */
  coordinate(row, handle, position, axis = 0) {
    const flat = handle.flats[axis];
    return flat === undefined ? this.coordinates(handle, position)[axis] : this.column(row, handle.variable)[flat];
  }

  /** The step along an axis that is nearest to a number. */
  nearest(handle, t, axis = 0) {
    const positions = handle.grid[axis];
    let low = 0;
    let high = positions.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (positions[middle] <= t) low = middle;
      else high = middle;
    }
    return t - positions[low] <= positions[high] - t ? low : high;
  }

  nearestPlane(handle, tx, ty) {
    return this.positionIndex(handle, this.nearest(handle, tx, 0), this.nearest(handle, ty, 1));
  }
}

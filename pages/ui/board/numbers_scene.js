// Numbers: samples below each other, each with its numbers on one or more tracks.

class NumbersScene extends Scene {
  constructor(board, tables) {
    super(board, tables, tables.scene.sample_label);
    const { scene, variables } = tables;
    this.fields = [];
    const dragged = variables.filter(({ values }) => !values);
    this.letters = lettersOf(dragged);
    const rows = Array.from({ length: tables.samples }, (_, sample) => this.row(sample));
    const single = scene.tracks.length === 1;
    const axis = make("div.row.axis-row", {}, single ? makeAxis(scene.tracks[0]) : "");
    const marks = variables.map(({ name, label, role }) => [markOf(role, this.letters.get(name)), label]);
    const targets = dragged.some(({ role }) => role === "target");
    const what = targets ? "Drag circles and diamonds" : "Drag circles";
    const hint = dragged.length < variables.length ? `${what}, switch labels.` : `${what}.`;
    this.element.append(this.legend(marks, hint), ...rows, single ? axis : "", this.addButton());
  }

  /** A sample: its tracks, each with the fields of what moves along it. */
  row(sample) {
    const { tables, fields } = this;
    const { tracks, track_of: trackOf } = tables.scene;
    const handles = tables.handles.filter((handle) => handle.sample === sample);
    const first = fields.length;
    const many = tracks.length > 1;
    const lines = tracks.flatMap((axis, index) => {
      const own = handles.filter(({ variable }) => trackOf[variable] === index);
      const caption = many ? make("span.caption", { "aria-hidden": "true" }, axis.label) : null;
      return [
        make("div.tracks", {}, ...this.track(axis, index, handles)),
        make("div.fields", {}, caption, ...own.map((handle) => this.control(handle))),
      ];
    });
    return make(
      many ? "section.row.many" : "section.row",
      { "aria-label": `${this.word} ${sample + 1}`, "--tracks": tracks.length },
      this.title(sample),
      ...lines,
      this.remove(sample),
      ...fields.slice(first).map(({ message }) => message),
    );
  }

  /** What sets a handle without a drag: a switch for a label, else a number field. */
  control(handle) {
    const { role } = this.tables.variable(handle.variable);
    const mark = markOf(role, this.letters.get(handle.variable));
    if (handle.kind === "choice") return this.choice(handle, mark);
    const field = this.field(handle, null, mark);
    this.fields.push(field);
    return field.element;
  }

  track(axis, index, all) {
    const { scene } = this.tables;
    const handles = all.filter(({ variable, kind }) => kind === "line" && scene.track_of[variable] === index);
    const span = index ? "none" : scene.span;
    const label = ["residual", "region"].includes(span) ? all.find(({ kind }) => kind === "choice") : null;
    const track = new Track(this.board, axis, handles, {
      span,
      label: label && { variable: label.variable, flat: label.flats[0] },
      lines: index ? [] : scene.lines,
      letters: this.letters,
      bells: this.bells(index, all),
    });
    this.parts.push(track);
    this.sliders.push(...track.sliders);
    this.surfaces.push(track.surface);
    return [track.element, makeAxis(axis)];
  }

  /** The normal curve of a mean and a spread, and the fixed one it is compared with. */
  bells(index, handles) {
    const { bell, prior, bell_shape: shape, track_of: trackOf } = this.tables.scene;
    if (!bell || trackOf[bell[0]] !== index) return [];
    const [mean, spread] = bell.map((name) => {
      const handle = handles.find(({ variable }) => variable === name);
      return { variable: name, flat: handle.flats[0] };
    });
    const bells = [{ mean, spread, shape, className: "present" }];
    if (prior) bells.unshift({ mean: prior[0], spread: prior[1], shape, className: "prior" });
    return bells;
  }
}

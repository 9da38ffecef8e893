// Numbers: samples below each other, each with its numbers on one or more tracks.

class NumbersScene extends Scene {
  constructor(board, tables) {
    super(board, tables);
    const { scene, variables } = tables;
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

  row(sample) {
    const { tables } = this;
    const handles = tables.handles.filter((handle) => handle.sample === sample);
    const fields = [];
    const controls = handles.map((handle) => {
      const { role } = tables.variable(handle.variable);
      const mark = markOf(role, this.letters.get(handle.variable));
      if (handle.kind === "choice") return this.choice(handle, mark);
      fields.push(this.field(handle, null, mark));
      return fields[fields.length - 1].element;
    });
    return make(
      "section.row",
      { "aria-label": `${this.word} ${sample + 1}` },
      this.title(sample),
      make("div.tracks", {}, ...tables.scene.tracks.flatMap((axis, index) => this.track(axis, index, handles))),
      make("div.fields", {}, ...controls),
      this.remove(sample),
      ...fields.map(({ message }) => message),
    );
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
    return scene.tracks.length > 1 ? [track.element, makeAxis(axis)] : [track.element];
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

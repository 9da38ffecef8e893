// The names of points on a picture: each stands at the corner of its point that covers least.

const NAME_CHARACTER = 8.5;
const NAME_HEIGHT = 16;
// From the middle of a point to its name: across, and down to the top of the name above or below it.
const NAME_ASIDE = 10;
const NAME_TOP = { above: -22, below: 7 };
const POINT_HALF = 10;
// What it costs to cover another point or name, an arrow, a line, or to leave the picture.
const COVER = { mark: 4, arrow: 2, line: 1, outside: 3 };
// A name leaves its corner only for one that is clearly better, so that it does not flicker during a drag.
const LOYALTY = 0.9;

/** Whether the line from [x1, y1] to [x2, y2] touches a rectangle {left, top, right, bottom}. */
function crosses([x1, y1, x2, y2], { left, top, right, bottom }) {
  let [from, to] = [0, 1];
  for (const [start, run, low, high] of [[x1, x2 - x1, left, right], [y1, y2 - y1, top, bottom]]) {
    if (run === 0) {
      if (start < low || start > high) return false;
      continue;
    }
    const [first, last] = [(low - start) / run, (high - start) / run];
    from = Math.max(from, Math.min(first, last));
    to = Math.min(to, Math.max(first, last));
  }
  return from < to;
}

function overlap(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

class PointNames {
  constructor(picture) {
    this.picture = picture;
    this.names = [];
  }

  /** A name that stands by itself at one of four corners, which differ between kinds of points. */
  add(spot, text, corner) {
    this.names.push({ spot, width: NAME_CHARACTER * text.length, home: corner % 4, corner: null });
  }

  static room({ spot: { px, py }, width }, corner) {
    const left = corner < 2 ? px + NAME_ASIDE : px - NAME_ASIDE - width;
    const top = py + (corner % 2 ? NAME_TOP.below : NAME_TOP.above);
    return { left, top, right: left + width, bottom: top + NAME_HEIGHT };
  }

  /** Chooses the corners; `arrows` and `lines` are what else is drawn, as [x1, y1, x2, y2]. */
  update(arrows, lines) {
    const { size } = this.picture;
    const marks = this.names.map(({ spot: { px, py } }) => ({
      left: px - POINT_HALF,
      right: px + POINT_HALF,
      top: py - POINT_HALF,
      bottom: py + POINT_HALF,
    }));
    const taken = [];
    this.names.forEach((name, index) => {
      const cost = (corner) => {
        const room = PointNames.room(name, corner);
        let sum = corner === name.corner ? 0 : LOYALTY;
        if (corner !== name.home) sum += 0.3;
        if (room.left < 0 || room.right > size || room.top < 0 || room.bottom > size) sum += COVER.outside;
        marks.forEach((mark, other) => (sum += other !== index && overlap(room, mark) ? COVER.mark : 0));
        for (const other of taken) if (overlap(room, other)) sum += COVER.mark;
        for (const arrow of arrows) if (crosses(arrow, room)) sum += COVER.arrow;
        for (const line of lines) if (crosses(line, room)) sum += COVER.line;
        return sum;
      };
      const costs = [0, 1, 2, 3].map(cost);
      const best = costs.indexOf(Math.min(...costs));
      taken.push(PointNames.room(name, best));
      if (best === name.corner) return;
      const { classList } = name.spot.element;
      classList.remove(`named-${name.corner}`);
      classList.add(`named-${best}`);
      name.corner = best;
    });
  }
}

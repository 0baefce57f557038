/** Scales that pictures share: time to x, ticks that people read. */

const DAY = 86_400_000;

/** @param {number} from @param {number} to @param {number} left @param {number} right */
export function linear(from, to, left, right) {
  const size = to - from || 1;
  return (/** @type {number} */ value) => left + ((value - from) / size) * (right - left);
}

/** Instants to write on an axis, with their words. @param {number} from @param {number} to @param {number} most */
export function timeTicks(from, to, most) {
  const days = (to - from) / DAY;
  const steps = [1 / 24, 1 / 8, 1 / 4, 1, 2, 7, 14, 30.4, 91, 182, 365];
  const step = steps.find((each) => days / each <= most) ?? 730;
  /** @type {{at: number, text: string}[]} */
  const ticks = [];
  const date = new Date(from);
  if (step < 1) {
    const hours = Math.round(step * 24);
    date.setMinutes(0, 0, 0);
    for (; date.getTime() <= to; date.setHours(date.getHours() + hours)) push(date, { hour: "2-digit", minute: "2-digit" });
  } else if (step < 28) {
    date.setHours(0, 0, 0, 0);
    for (; date.getTime() <= to; date.setDate(date.getDate() + step)) push(date, { day: "numeric", month: "short" });
  } else {
    const months = Math.max(1, Math.round(step / 30.4));
    date.setHours(0, 0, 0, 0);
    date.setDate(1);
    for (; date.getTime() <= to; date.setMonth(date.getMonth() + months))
      push(date, days > 330 ? { month: "short", year: "numeric" } : { month: "short" });
  }
  return ticks;

  /** @param {Date} at @param {Intl.DateTimeFormatOptions} form */
  function push(at, form) {
    if (at.getTime() >= from) ticks.push({ at: at.getTime(), text: at.toLocaleString("en-GB", form) });
  }
}

/** Round numbers from nought to the largest. @param {number} most @param {number} lines */
export function numberTicks(most, lines = 4) {
  if (most <= 0) return [0];
  const raw = most / lines;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= raw) ?? raw;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, at) => at * step);
}

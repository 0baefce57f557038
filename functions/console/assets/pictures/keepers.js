/** What keeps a snapshot, strongest first, and the shape that says so without colour. */

const ORDER = [
  ["hold", /hold|held/i],
  ["yearly", /yearly|year/i],
  ["monthly", /monthly|month/i],
  ["weekly", /weekly|week/i],
  ["daily", /daily|\bday/i],
  ["hourly", /hourly|hour/i],
  ["newest", /newest|last|within/i],
];

/** The strongest of the reasons that the API gives. @param {string[]} reasons @returns {string} */
export function keeper(reasons) {
  for (const [name, form] of ORDER) {
    if (reasons.some((reason) => /** @type {RegExp} */ (form).test(reason))) return /** @type {string} */ (name);
  }
  return reasons.length ? "other" : "none";
}

/** @type {[string, string][]} */
export const LEGEND = [
  ["hold", "held"],
  ["yearly", "year"],
  ["monthly", "month"],
  ["weekly", "week"],
  ["daily", "day"],
  ["hourly", "hour"],
  ["newest", "newest or last"],
  ["other", "another rule"],
  ["none", "no rule keeps it"],
  ["condemned", "condemned"],
];

/** The outline of a tooth `height` tall around x, upward from y. @param {string} kind @param {number} x @param {number} y @param {number} height */
export function tooth(kind, x, y, height) {
  const top = y - height;
  const body = `M${x - 2} ${y}V${top + 4}H${x + 2}V${y}Z`;
  switch (kind) {
    case "hold":
      return `M${x - 2} ${y}V${top + 7}H${x + 2}V${y}Z M${x} ${top - 1}l4.5 4.5-4.5 4.5-4.5-4.5Z`;
    case "yearly":
      return `M${x - 2} ${y}V${top + 4}H${x + 2}V${y}Z M${x - 5} ${top}h10v4h-10Z`;
    case "monthly":
      return `M${x - 2} ${y}V${top + 5}H${x + 2}V${y}Z M${x - 4} ${top}h8v6h-8Z`;
    case "weekly":
      return `M${x - 2} ${y}V${top + 5}L${x - 4} ${top + 5} ${x} ${top} ${x + 4} ${top + 5}H${x + 2}V${y}Z`;
    case "daily":
      return `${body} M${x - 3} ${top + 3}a3 3 0 1 0 6 0a3 3 0 1 0-6 0Z`;
    case "newest":
      return `${body} M${x - 4} ${top + 5}h8l-4-6Z`;
    case "hourly":
      return `M${x - 3} ${y}V${top + 4}h2V${y}Z M${x + 1} ${y}V${top + 4}h2V${y}Z`;
    case "other":
      return `M${x - 2} ${y}V${top}L${x + 3} ${top + 6}H${x + 2}V${y}Z`;
    default:
      return body;
  }
}

// @ts-check
// Numbers, times and addresses as a person reads them. Pure: it knows no document.

/** @typedef {import("@tcpkit/core").Address} Address */

/** @param {number} value @param {string} language */
export function formatCount(value, language) {
  return new Intl.NumberFormat(language).format(value);
}

/** A size in decimal units: 1 kB is 1000 bytes. @param {number} bytes @param {string} language */
export function formatSize(bytes, language) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const maximumFractionDigits = unit === 0 || value >= 100 ? 0 : 1;
  const text = new Intl.NumberFormat(language, { maximumFractionDigits }).format(value);
  return `${text} ${["B", "kB", "MB", "GB"][unit]}`;
}

/** Nanoseconds as the unit that suits them. @param {number} nanoseconds */
export function formatDuration(nanoseconds) {
  const microseconds = nanoseconds / 1e3;
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
  const milliseconds = microseconds / 1e3;
  if (milliseconds < 1000) return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`;
  const seconds = milliseconds / 1e3;
  if (seconds < 60) return `${seconds.toFixed(2)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes} min ${Math.floor(seconds % 60)} s`;
}

/** @param {Address | undefined} address */
export function formatAddress(address) {
  if (address === undefined) return "?";
  if (address.kind === "unix") return address.path;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

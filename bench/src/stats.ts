// Two numbers say what a list of measurements says: the middle one, and how far apart they lie.

/** The middle value, or the mean of the two middle ones. @throws RangeError when there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const high = sorted[sorted.length >> 1];
  const low = sorted[(sorted.length - 1) >> 1];
  if (low === undefined || high === undefined) throw new RangeError("the median of no values");
  return (low + high) / 2;
}

/** From the lowest to the highest value, as a share of the median: 0.1 means that they lie within 10 %. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / middle;
}

/** Something about the command line that the person can correct: the command ends with exit code 2. */
export class UsageError extends Error {}

/** An option's whole number within its bounds. */
export function wholeNumber(option: string, text: string, least = 0, most = 999_999_999): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < least || number > most) {
    const bounds = least === 0 && most === 999_999_999 ? "" : ` from ${least} to ${most}`;
    throw new UsageError(`${option} wants a whole number${bounds}, not ${text}`);
  }
  return number;
}

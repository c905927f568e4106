/** `0.8 s`, `42 s`, `14 min 46 s`. */
export function duration(seconds: number): string {
  if (seconds === 0) return "0";
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return minutes === 0 ? `${rest} s` : rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}

export const dollars = (amount: number): string => `$${amount.toFixed(amount < 1 ? 3 : 2)}`;

/** `vpc-endpoint` and 5 make `5 VPC endpoints`. */
export function counted(count: number, noun: string): string {
  const words = noun.replaceAll("-", " ").replace(/\bvpc\b/, "VPC");
  if (count === 1) return `1 ${words}`;
  return `${count} ${words.endsWith("y") ? `${words.slice(0, -1)}ies` : `${words}s`}`;
}

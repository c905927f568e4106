// `npm install --no-save`, not `npm ci`: the lock was made where only Linux packages are served, and `ci` insists on every platform's.
// Runs before `npm start` and `npm test`, on whatever Node there is: a fresh clone installs itself, once.
import { spawnSync } from "node:child_process";
import { existsSync, statSync, utimesSync } from "node:fs";

const stamp = "node_modules/.package-lock.json";
const isFresh = existsSync(stamp) && statSync(stamp).mtimeMs >= statSync("package-lock.json").mtimeMs;
if (!isFresh) {
  console.error("Installing what Cloister needs, its own Node 24 included. This happens once, and takes about a minute.");
  const { status } = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
  const now = new Date();
  if (existsSync(stamp)) utimesSync(stamp, now, now);
}

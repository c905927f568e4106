/**
 * Works of one step that do not need each other. Whatever fails, all that was begun is waited for before the first failure is thrown:
 * a call that is still under way when a step gives up would run into the next attempt.
 */
export async function together<T extends readonly unknown[]>(works: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const ends = await Promise.allSettled(works);
  return ends.map((end) => {
    if (end.status === "rejected") throw end.reason;
    return end.value;
  }) as unknown as T;
}

/** EC2 gives each kind of changing call a small bucket of tokens; so many at a time never empty it. */
const lanes = 4;

/** The same for many like works, a few at a time. After a failure none is begun any more. */
export async function forEachInLanes<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const open = [...items];
  let failed = false;
  const lane = async () => {
    for (let item = open.shift(); item !== undefined && !failed; item = open.shift()) {
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await together(Array.from({ length: lanes }, lane));
}

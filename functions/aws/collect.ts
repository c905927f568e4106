/** Everything on all pages of a paginator. */
export async function collect<Page, T>(pages: AsyncIterable<Page>, items: (page: Page) => readonly T[]): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(...items(page));
  return found;
}

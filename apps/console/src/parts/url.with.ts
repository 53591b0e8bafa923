/** The address of a page, with some of what the query says now said otherwise; undefined takes it out. */
export function urlWith(
  path: string,
  search: string,
  changes: Readonly<Record<string, string | undefined>>,
): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) params.set(name, value);
    else params.delete(name);
  }
  const query = params.toString();
  return query ? `${path}?${query}` : path;
}

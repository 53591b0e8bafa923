/** The entity tag of something as it was shown. */
export function etagOf({ revision }: { revision: number }): string {
  return `"${revision}"`;
}

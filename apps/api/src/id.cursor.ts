/** The cursor of the page that begins after what has this id: 1 to 100 characters. Opaque to clients. */
export function cursorAfter(id: string): string {
  return Buffer.from(id).toString('base64url');
}

/** The id in a cursor; undefined for text that is not one. */
export function idOf(cursor: string): string | undefined {
  const id = Buffer.from(cursor, 'base64url').toString();
  const isCursor = id.length >= 1 && id.length <= 100 && cursorAfter(id) === cursor;
  return isCursor && !id.includes('\0') ? id : undefined;
}

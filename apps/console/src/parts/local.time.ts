/** A moment for a field of the kind `datetime-local`, in the time of who looks. */
export function localField(at: number): string {
  const date = new Date(at);
  const local = new Date(at - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** What such a field says, as ISO 8601; undefined when it says nothing. */
export function instantOf(field: FormDataEntryValue | null): string | undefined {
  return typeof field === 'string' && field !== '' ? new Date(field).toISOString() : undefined;
}

/** What stands in a field of a form, without the blanks around it; '' when there is no such field. */
export function textIn(form: FormData, name: string): string {
  return ((form.get(name) as string | null) ?? '').trim();
}

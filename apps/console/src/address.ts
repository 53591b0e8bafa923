import { useBrowserLocation, useSearch } from 'wouter/use-browser-location';

/**
 * Hooks for a router that takes addresses as they are. By itself it decodes them before it knows their parts, and then `%2F` in an id can no
 * longer be told from `%252F`.
 */
export function useAddress(): ReturnType<typeof useBrowserLocation> {
  const [path, navigate] = useBrowserLocation();
  return [guarded(path), navigate];
}

/** @see useAddress */
export function useQueryString(): string {
  return guarded(useSearch());
}

/** A part of a path as text. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Typed by hand: it is what it says.
    return part;
  }
}

/** The path of a page, its parts encoded: `pathTo('actors', name)`. */
export function pathTo(...parts: string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** A query of a page: `pathTo('messages') + query({ actor, state })`. What is undefined is left out. */
export function query(values: Readonly<Record<string, string | undefined>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value) params.set(name, value);
  return params.size > 0 ? `?${params}` : '';
}

/** So that decoding it once gives back what it was. */
function guarded(text: string): string {
  return text.replaceAll('%', '%25');
}

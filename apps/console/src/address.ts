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

/**
 * The query of an address: `/messages${query({ actor, state })}`. What is undefined or '' is left out.
 *
 * @param search a query whose other values stay
 */
export function query(values: Readonly<Record<string, string | undefined>>, search = ''): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(values)) {
    if (value) params.set(name, value);
    else params.delete(name);
  }
  return params.size > 0 ? `?${params}` : '';
}

/** So that decoding it once gives back what it was. */
function guarded(text: string): string {
  return text.replaceAll('%', '%25');
}

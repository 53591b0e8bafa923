/** The actor that keeps stored routes. */
export const ROUTES = 'routes';

/** The actor that keeps events which nobody received. */
export const UNROUTED = 'unrouted';

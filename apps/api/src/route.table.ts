import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    routeTable?: RouteTable;
  }
}

/** The routes of a server, to tell a wrong method from a wrong path: Fastify answers 404 to both. */
export class RouteTable {
  private readonly routes: { pattern: readonly string[]; methods: readonly string[] }[] = [];
  private readonly all = new Set<string>();

  /** Must be made before the server has routes; is its `routeTable` from then on. */
  constructor(fastify: FastifyInstance) {
    fastify.decorate('routeTable', this as RouteTable);
    fastify.addHook('onRoute', ({ url, method }) => {
      for (const each of [method].flat()) this.all.add(`${each} ${url}`);
      this.routes.push({ pattern: url.split('/'), methods: [method].flat() });
    });
  }

  /** Every call, as `<method> <route>` with the route as the server has it, sorted. */
  calls(): string[] {
    return [...this.all].sort();
  }

  /** The methods allowed on a path, sorted; empty when there is no such path. */
  methods(path: string): string[] {
    const segments = path.split('/');
    const found = this.routes.filter(({ pattern }) => matches(pattern, segments));
    return [...new Set(found.flatMap(({ methods }) => methods))].sort();
  }
}

/** `:name` stands for one segment that is not empty, `*` for the rest, `::` for a colon. */
function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.at(-1) === '*') {
    const fixed = pattern.slice(0, -1);
    return segments.length > fixed.length && matches(fixed, segments.slice(0, fixed.length));
  }
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => {
      const segment = segments[index];
      return /^:[^:]/.test(part) ? segment !== '' : segment === part.replaceAll('::', ':');
    })
  );
}

import type * as Library from '@nestjs/swagger';

type Swagger = typeof Library;

const waiting: ((swagger: Swagger) => void)[] = [];

// The decorators of @nestjs/swagger, applied when the description is asked for. With what it imports, that library is 540
// modules, a quarter of the start of a process that may never be asked.
export const ApiAcceptedResponse = later('ApiAcceptedResponse');
export const ApiBody = later('ApiBody');
export const ApiConsumes = later('ApiConsumes');
export const ApiCreatedResponse = later('ApiCreatedResponse');
export const ApiHeader = later('ApiHeader');
export const ApiNoContentResponse = later('ApiNoContentResponse');
export const ApiOkResponse = later('ApiOkResponse');
export const ApiOperation = later('ApiOperation');
export const ApiParam = later('ApiParam');
export const ApiProduces = later('ApiProduces');
export const ApiQuery = later('ApiQuery');
export const ApiResponse = later('ApiResponse');
export const ApiTags = later('ApiTags');

/** The library, once everything is decorated with it. */
export async function swagger(): Promise<Swagger> {
  // oxlint-disable-next-line no-restricted-imports -- this is when it is needed
  const library = await import('@nestjs/swagger');
  for (const decorate of waiting.splice(0)) decorate(library);
  return library;
}

function later<N extends Decorator>(name: N): Swagger[N] {
  const factory =
    (...options: unknown[]) =>
    (...target: unknown[]) => {
      waiting.push((library) => (library[name] as Factory)(...options)(...target));
    };
  return factory as Swagger[N];
}

type Decorator = Extract<keyof Swagger, `Api${string}`>;
type Factory = (...options: unknown[]) => (...target: unknown[]) => void;

import { jsonSchemaOf, replyJsonSchemaOf, type MessageClass } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { mountDocs } from './docs/docs.page.js';
import { embed, type JsonSchema } from './embedded.schema.js';
import { SendableMessages } from './messages/sendable.messages.js';
import { swagger } from './openapi.decorators.js';
import { PROBLEM_TYPE } from './problem.js';
import { ref, schemas } from './schema.registry.js';

const KEY = 'Idempotency-Key';

type Components = Record<string, JsonSchema>;

/** Serves the description of the API at `/openapi.json`, and a page that shows it at `/docs`. */
export function mountOpenApi(app: NestFastifyApplication, options: { secured: boolean }): void {
  mountDocs(app);
  let text: Promise<string> | undefined;
  app
    .getHttpAdapter()
    .getInstance()
    .get('/openapi.json', async (_request, reply) => {
      // Made at the first request: messages become known while the application starts.
      text ??= describeApi(app, options).then((document) => JSON.stringify(document));
      return reply.type('application/json').send(await text);
    });
}

/** The API as OpenAPI 3.1, with the schemas of the messages that can be sent. */
async function describeApi(
  app: NestFastifyApplication,
  { secured }: { secured: boolean },
): Promise<OpenAPIObject> {
  const { DocumentBuilder, SwaggerModule } = await swagger();
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Callsheet')
    .setDescription('Send messages to actors and see what becomes of them.')
    .setVersion('1')
    .addGlobalResponse({
      status: 'default',
      description: 'a problem (RFC 9457)',
      content: { [PROBLEM_TYPE]: { schema: ref('Problem') } },
    });
  if (secured) builder.addBearerAuth().addSecurityRequirements('bearer');
  const document = SwaggerModule.createDocument(app, builder.build(), {
    standardSchemaConverter: (schema) => {
      const id = schemas.get(schema as z.ZodType)?.id;
      return id === undefined ? undefined : { schema: ref(id) };
    },
  });
  const messages = app.get(SendableMessages).all();
  const types = messages.map(({ meta }) => meta.type);
  const shapes = shapeComponents();
  const components = {
    ...shapes,
    ...messageComponents(messages),
    Telling: variants(shapes.Telling, types),
    Asking: variants(shapes.Asking, types),
    ScheduledMessage: variants(shapes.ScheduledMessage, types),
    Publishing: variants(shapes.Publishing, types, 'anyOf'),
    EventAsking: variants(shapes.EventAsking, types, 'anyOf'),
    RouteTesting: variants(shapes.RouteTesting, types),
  };
  tellOfKeys(document);
  return {
    ...document,
    components: { ...document.components, schemas: components as never },
  };
}

/** Calls that change something and take an Idempotency-Key, of which they have no need. */
function tellOfKeys(document: OpenAPIObject): void {
  for (const [path, item] of Object.entries(document.paths)) {
    // A webhook has the id that its sender gives it.
    if (path.startsWith('/v1/hooks/')) continue;
    for (const operation of [item.post, item.put, item.delete]) {
      const known = operation?.parameters?.some((each) => 'name' in each && each.name === KEY);
      if (!operation || known) continue;
      const description = 'accepted, and not needed: asked again, the call comes to the same';
      const parameter = { name: KEY, in: 'header' as const, required: false, description };
      (operation.parameters ??= []).push({ ...parameter, schema: { type: 'string' } });
    }
  }
}

/** The shapes that the resources registered. */
function shapeComponents(): Components {
  const { schemas: all } = z.toJSONSchema(schemas, {
    io: 'input',
    uri: (id) => ref(id).$ref,
    override: ({ jsonSchema }) => {
      // What zod adds to say the same again, only harder to read.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      delete jsonSchema.propertyNames;
    },
  });
  return Object.fromEntries(
    Object.entries(all).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]),
  );
}

/** The data of each message by its type, and what its handler answers as `<type>.reply`. */
function messageComponents(messages: readonly MessageClass[]): Components {
  const components: Components = {};
  for (const message of messages) {
    const { type } = message.meta;
    const reply = replyJsonSchemaOf(message);
    components[type] = embed(jsonSchemaOf(message) ?? { type: 'object' }, ref(type).$ref);
    if (reply) components[`${type}.reply`] = embed(reply, ref(`${type}.reply`).$ref);
  }
  return components;
}

/**
 * A body that sends a message: one variant for each type, whose data has that message's schema.
 *
 * @param of anyOf: the type may be absent, and the data fit several
 */
function variants(
  any: JsonSchema = {},
  types: readonly string[],
  of: 'oneOf' | 'anyOf' = 'oneOf',
): JsonSchema {
  if (types.length === 0) return any;
  return {
    [of]: types.map((type) => ({
      ...any,
      title: type,
      properties: { ...(any.properties as object), type: { const: type }, data: ref(type) },
    })),
  };
}

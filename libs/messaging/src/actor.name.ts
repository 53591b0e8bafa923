import { actorOptionsOf, handlersOf } from './actor.decorators.js';
import { ACTOR_NAME } from './message.js';
import { DeclarationError, OptionError } from './messaging.errors.js';

/**
 * The name of an actor class, and of its queue: as given, else that of the messages it handles. Events belong to whoever
 * publishes them, so they do not name the actor.
 *
 * @throws DeclarationError when it has no name, or two; OptionError for a name that cannot be one
 */
export function actorNameOf(target: { name: string }): string {
  const declared = handlersOf(target);
  const options = actorOptionsOf(target);
  // A provider with nothing but schedules needs no @Actor().
  const given = options ? options.name : kebab(target.name);
  const names = new Set(
    declared.flatMap(({ kind, handles }) =>
      'meta' in handles && kind !== 'on' ? [handles.meta.actor] : [],
    ),
  );
  if (given !== undefined) names.add(given);
  const [name, other] = names;
  if (declared.length === 0)
    throw new DeclarationError(`${target.name} is an actor without handlers`);
  if (name === undefined) {
    throw new DeclarationError(
      `${target.name} handles only events or schedules: name it, @Actor({ name: '...' }), or add the @Handle that is missing`,
    );
  }
  if (other !== undefined) {
    throw new DeclarationError(
      `${target.name} would be two actors, '${name}' and '${other}': an actor handles messages of one name`,
    );
  }
  if (!ACTOR_NAME.test(name)) {
    throw new OptionError(`@Actor ${target.name} name`, `must match ${ACTOR_NAME}, got '${name}'`);
  }
  return name;
}

/** `ReportService` is the actor 'report-service'. */
function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}

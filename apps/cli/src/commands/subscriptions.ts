import type { Command } from 'commander';
import { doing, segment } from '../run.js';
import type { Shell } from '../shell.js';
import type { Shown } from '../shown.js';
import type { Columns } from '../table.js';
import { limitOption, reasonOptions } from './options.js';

const COLUMNS: Columns<Shown['Subscriber']> = [
  ['actor', ({ actor }) => actor, 'whole'],
  ['to', ({ subscriptions }) => subscriptions.map(toText).join(', ')],
  ['problem', ({ problem }) => problem],
];

/** `subscriptions list|delete`. */
export function addSubscriptions(program: Command, shell: Shell): void {
  const group = program.command('subscriptions').description('which actors get which events');

  group
    .command('list')
    .description('Actors that subscribe to events, whether they run or not.')
    .addOption(limitOption())
    .action(
      doing<[], { limit: number }>(shell, async (run, _, { limit }) => {
        await run.out.list(COLUMNS, run.api.items<Shown['Subscriber']>('/v1/subscriptions', limit));
      }),
    );

  reasonOptions(group.command('delete'))
    .description('Ends those of an actor that is gone for good. One that runs subscribes again.')
    .argument('<actor>', 'name of the actor')
    .action(
      doing<[actor: string], object>(shell, async (run, [actor]) => {
        await run.questions.confirm(`end what ${actor} subscribes to`);
        const because = await run.because();
        await run.api.remove(`/v1/subscriptions/${segment(actor)}`, because);
        run.out.show({ actor, state: 'deleted' }, () => `${actor} subscribes to nothing`);
      }),
    );
}

function toText({ type, topic, when }: Shown['Subscriber']['subscriptions'][number]): string {
  return [type, topic, when && `when ${when}`].filter(Boolean).join(' ');
}

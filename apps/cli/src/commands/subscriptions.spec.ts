import { ENGINE, type Engine } from '@callsheet/messaging';
import { expect, it } from 'vitest';
import { stageForFile } from '../../test/stage.js';

const stage = stageForFile();
const GONE: { actor: string; subscriptions: Record<string, string>[] } = {
  actor: 'gone',
  subscriptions: [{ type: 'shelf.keep' }, { topic: 'a.**', when: 'true' }],
};

it('subscriptions are listed, and those of an actor that is gone end', async () => {
  const engine = stage.app().get<Engine>(ENGINE);
  await engine.bind('actor:gone', GONE.subscriptions);
  const { out } = await stage.run('subscriptions list --json');
  expect(out.split('\n').filter((line) => line.includes('gone'))).toEqual([JSON.stringify(GONE)]);
  expect((await stage.run('subscriptions list')).out).toContain(
    'gone\tshelf.keep, a.** when true\t-\n',
  );
  const ended = await stage.run('subscriptions delete gone --yes --reason moved');
  expect([ended.code, ended.out]).toEqual([0, 'gone subscribes to nothing\n']);
  expect(await engine.bound('actor:gone')).toBeUndefined();
  expect((await stage.run('subscriptions delete gone --yes')).code).toBe(3);
});

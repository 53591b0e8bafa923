import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { stageForTest } from '../../test/stage.js';

const FOLDER = path.resolve(import.meta.dirname, '../../../../docs/telemetry');

it.each(['grafana.json', 'alerts.yml'])('%s asks for metrics that there are', async (file) => {
  const app = await stageForTest();
  const { body } = await app.inject({ url: '/metrics' });
  const there = new Set(body.match(/(?<=^# TYPE )\S+/gm));
  const text = readFileSync(path.join(FOLDER, file), 'utf8');
  const asked = new Set(
    [...text.matchAll(/callsheet_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')),
  );
  expect(asked.size).toBeGreaterThan(5);
  expect([...asked].filter((name) => !there.has(name))).toEqual([]);
});

it('the dashboard has panels that do not lie on each other', () => {
  interface Panel {
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
  }
  const { panels } = JSON.parse(readFileSync(path.join(FOLDER, 'grafana.json'), 'utf8')) as {
    panels: Panel[];
  };
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  expect(panels.length).toBeGreaterThan(10);
  expect(new Set(cells).size).toBe(cells.length);
  expect(cells.every((cell) => Number(cell.split(',')[0]) < 24)).toBe(true);
});

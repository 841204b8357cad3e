import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}/${path}`, 'utf8');

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const { services } = parse(read('config/deploy/compose.yaml'), { merge: true }) as {
  services: Readonly<Record<string, Service>>;
};

describe('config/deploy/compose.yaml', () => {
  it.each(['collector', 'processor'])('%s runs a configuration that reads what it is given', (name) => {
    const { command = [], environment = {} } = services[name]!;
    const [run, config = ''] = command;
    expect(run).toBe('run');
    expect(existsSync(`${root}/${config}`)).toBe(true);
    const variables = [...read(config).matchAll(/\$\{([A-Z_]+)/g)].map(([, variable]) => variable!);
    expect(Object.keys(environment).sort()).toEqual([...new Set(variables)].sort());
  });

  it('waits for servers that say when they are ready', () => {
    const waits = Object.values(services).flatMap((service) => Object.entries(service.depends_on ?? {}));
    expect(waits.length).toBeGreaterThan(0);
    for (const [server, { condition }] of waits) {
      expect(condition).toBe('service_healthy');
      expect(services[server]?.healthcheck, server).toBeDefined();
    }
  });
});

import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { placeForEachTest } from './harness.js';

const place = placeForEachTest();

/** As on a machine where nobody has installed the package. Where Node is too old for it, nothing need be hidden. */
const HIDE = `import * as module from 'node:module';
module.registerHooks?.({
  resolve(name, context, next) {
    if (name === '@platformatic/kafka') throw new Error('Cannot find package');
    return next(name, context);
  },
});`;

it('a client that is not installed, or needs a newer Node: said, with what to do, by source and sink', async () => {
  const hide = pathToFileURL(place().write('hide.mjs', HIDE)).href;
  place().write('a.log', 'a\n');
  const kafka = 'client: platformatic, brokers: ["127.0.0.1:1"]';
  place().write(
    'to.yaml',
    `source: { tail: { paths: ["*.log"] } }\nroutes: [{ to: { kafka: { ${kafka}, topic: t } } }]\n`,
  );
  place().write(
    'from.yaml',
    `source: { kafka: { ${kafka}, topics: [t], groupId: g } }\nroutes: [{ to: { console: {} } }]\n`,
  );
  for (const config of ['to.yaml', 'from.yaml']) {
    const { code, stderr } = await place().run(['run', config, '--once'], {
      env: { NODE_OPTIONS: `--import=${hide}` },
    });
    expect(stderr).toContain('MILLRACE_E_KAFKA_CLIENT');
    expect(stderr).toContain('npm install @platformatic/kafka, on Node 22.22 or newer');
    expect(code, stderr).toBe(1);
  }
});

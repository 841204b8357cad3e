// Starts a server and says its process id; for the test that kills whoever started a server.
import { runnerImport } from 'vite';

const { module } = await runnerImport(new URL('kafka.ts', import.meta.url).pathname);
const { nodes } = await module.startKafka();
process.stdout.write(`${nodes[0].pid}\n`);

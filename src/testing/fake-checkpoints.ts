import type { Checkpoint, CheckpointStore } from '../model/checkpoint.js';
import type { FakeFiles } from './fake-files.js';

type Saved = { readonly [K in keyof Checkpoint]: [string, never][] };

/** Keeps the last checkpoint, as JSON, whatever process has saved it: one that is being saved is there or it is not. */
export class FakeCheckpoints {
  #text: string | undefined;

  /** What the next process will find. */
  get saved(): Checkpoint | undefined {
    if (this.#text === undefined) return undefined;
    const { lanes, sinks, stages } = JSON.parse(this.#text) as Saved;
    return { lanes: new Map(lanes), sinks: new Map(sinks), stages: new Map(stages) };
  }

  /** The store as one process sees it. */
  storeOf(files: FakeFiles): CheckpointStore {
    return {
      load: () => files.call('load checkpoint', () => this.saved),
      save: ({ lanes, sinks, stages }) => {
        const text = JSON.stringify({ lanes: [...lanes], sinks: [...sinks], stages: [...stages] });
        return files.call('save checkpoint', () => {
          this.#text = text;
        });
      },
    };
  }
}

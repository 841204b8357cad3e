import type { Json } from '../model/json.js';
import { isRemembering } from '../operators/remembering.js';
import type { Judge, Remembering } from '../operators/remembering.js';
import { keeping } from '../operators/stage.js';
import { Answers } from './answers.js';
import type { EventOperator } from './way.js';

interface SavedMemory {
  readonly state: Json;
  readonly answers: Readonly<Record<string, Json>>;
}

interface Memory {
  readonly judge: Judge;
  readonly answers: Answers;
}

/** What the remembering stages of one run of a pipeline know. They outlive its batches, and are part of its checkpoint. */
export class Memories {
  readonly #saved: ReadonlyMap<string, Json>;
  readonly #memories = new Map<string, Memory>();

  constructor(saved: ReadonlyMap<string, Json> = new Map()) {
    this.#saved = saved;
  }

  /**
   * The operators, each remembering one with its memory. `scope`: the route they belong to, empty for the common stages.
   * A stage finds its memory again by its scope, its name, and its place among those of its name.
   */
  attach(scope: string, operators: readonly EventOperator[]): readonly EventOperator[] {
    return operators.map((operator) => (isRemembering(operator) ? this.#stage(scope, operator.remembering) : operator));
  }

  settled(lane: string, position: number): void {
    for (const { answers } of this.#memories.values()) answers.settled(lane, position);
  }

  /** `lanes`: those that the checkpoint knows. */
  capture(lanes: ReadonlyMap<string, unknown>): ReadonlyMap<string, Json> {
    return new Map(
      [...this.#memories].map(([name, { judge, answers }]) => [
        name,
        { state: judge.capture(), answers: answers.capture(lanes) },
      ]),
    );
  }

  #stage(scope: string, remembering: Remembering): EventOperator {
    const prefix = `${scope}/${remembering.name}`;
    let place = 1;
    while (this.#memories.has(`${prefix}#${place}`)) place++;
    const key = `${prefix}#${place}`;
    const saved = this.#saved.get(key) as unknown as SavedMemory | undefined;
    const judge = remembering.begin(saved?.state);
    const answers = new Answers(saved?.answers);
    this.#memories.set(key, { judge, answers });
    const decide = judge.admits.bind(judge);
    return keeping((event) => answers.of(event, decide));
  }
}

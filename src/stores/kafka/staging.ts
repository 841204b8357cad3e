import type { Staged, StagedMessage } from '../../model/transactions.js';

/** What of a lane goes into the next transaction. */
export interface Ready {
  readonly lane: string;
  /** Where the lane is afterwards. */
  readonly position: number;
  readonly messages: readonly StagedMessage[];
}

interface LaneStage {
  readonly waiting: Staged[];
  /** Everything up to here has settled. */
  settled: number | undefined;
}

/** What was delivered and is not committed, by lane. Memory: demand bounds it, for it is given back by the commit. */
export class Staging {
  readonly #lanes = new Map<string, LaneStage>();

  stage(staged: Staged): void {
    this.#laneOf(staged.lane).waiting.push(staged);
  }

  settled(lane: string, position: number): void {
    this.#laneOf(lane).settled = position;
  }

  /** What has settled up to now and was not committed, also where it is no more than a position. */
  get ready(): readonly Ready[] {
    return [...this.#lanes].flatMap(([lane, { waiting, settled }]): Ready[] => {
      if (settled === undefined) return [];
      const messages = waiting.filter(({ position }) => position <= settled).flatMap((staged) => staged.messages);
      return [{ lane, position: settled, messages }];
    });
  }

  committed({ lane, position }: Ready): void {
    const stage = this.#lanes.get(lane);
    if (stage === undefined) return;
    const rest = stage.waiting.filter((staged) => staged.position > position);
    stage.waiting.splice(0, stage.waiting.length, ...rest);
    if (stage.settled === position) stage.settled = undefined;
    if (rest.length === 0 && stage.settled === undefined) this.#lanes.delete(lane);
  }

  /** Somebody else owns the lane now, and will deliver it again. */
  drop(lane: string): void {
    this.#lanes.delete(lane);
  }

  #laneOf(lane: string): LaneStage {
    let stage = this.#lanes.get(lane);
    if (stage === undefined) this.#lanes.set(lane, (stage = { waiting: [], settled: undefined }));
    return stage;
  }
}

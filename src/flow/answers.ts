import type { LogEvent } from '../model/event.js';
import type { Json } from '../model/json.js';

/** An event within its lane: its offset, or `offset:n` for a further event of the record. */
type Place = number | string;

interface SavedAnswers {
  /** Differences of the offsets to the one before, or places in full. */
  readonly places: readonly Place[];
  /** A `1` for each event that went on, a `0` for each that did not. */
  readonly admitted: string;
}

function offsetOf(place: Place): number {
  return typeof place === 'number' ? place : Number.parseInt(place, 10);
}

function placeOf({ offset, index }: LogEvent): Place {
  return index === 0 ? offset : `${offset}:${index}`;
}

/**
 * What a remembering stage has answered about the events that may come again: those that were not settled yet. With it a
 * replay changes neither an answer nor the memory, whatever was forgotten meanwhile. Bounded by what demand lets in.
 */
export class Answers {
  readonly #lanes = new Map<string, Map<Place, boolean>>();

  constructor(saved: Readonly<Record<string, Json>> = {}) {
    for (const [lane, json] of Object.entries(saved)) {
      const { places, admitted } = json as unknown as SavedAnswers;
      const answers = new Map<Place, boolean>();
      let offset = 0;
      places.forEach((place, at) => {
        if (typeof place === 'number') offset += place;
        answers.set(typeof place === 'number' ? offset : place, admitted[at] === '1');
      });
      this.#lanes.set(lane, answers);
    }
  }

  /** The answer that was given, or the one that `decide` gives now. */
  of(event: LogEvent, decide: (event: LogEvent) => boolean): boolean {
    const lane = event.origin.incarnation;
    let answers = this.#lanes.get(lane);
    if (answers === undefined) {
      answers = new Map();
      this.#lanes.set(lane, answers);
    }
    const place = placeOf(event);
    const given = answers.get(place);
    if (given !== undefined) return given;
    const answer = decide(event);
    answers.set(place, answer);
    return answer;
  }

  /** Nothing of the lane before this position comes again. */
  settled(lane: string, position: number): void {
    const answers = this.#lanes.get(lane);
    if (answers === undefined) return;
    // Batches come in order, so what is settled stands at the front.
    for (const place of answers.keys()) {
      if (offsetOf(place) >= position) return;
      answers.delete(place);
    }
    this.#lanes.delete(lane);
  }

  /** Lanes that are not among these will never be opened again. */
  capture(lanes: ReadonlyMap<string, unknown>): Readonly<Record<string, Json>> {
    const saved: [string, Json][] = [];
    for (const [lane, answers] of this.#lanes) {
      if (!lanes.has(lane)) {
        this.#lanes.delete(lane);
        continue;
      }
      let last = 0;
      const places = [...answers.keys()].map((place) => {
        if (typeof place === 'string') return place;
        const difference = place - last;
        last = place;
        return difference;
      });
      saved.push([lane, { places, admitted: [...answers.values()].map((answer) => (answer ? '1' : '0')).join('') }]);
    }
    return Object.fromEntries(saved);
  }
}

/** How long a topic that matches a pattern may have been there before it is seen. */
const LOOK_EVERY_MS = 10_000;

/** A name, or the regular expression that stands between slashes. */
export function patternOf(topic: string): string | RegExp {
  return topic.startsWith('/') ? new RegExp(topic.slice(1, -1)) : topic;
}

/** The topics of a member. Clients match patterns when they subscribe and not again. */
export class TopicPatterns {
  readonly #topics: readonly (string | RegExp)[];
  readonly #list: () => Promise<readonly string[]>;
  #matched = '';

  /** `list` gives the names of all topics. */
  constructor(topics: readonly string[], list: () => Promise<readonly string[]>) {
    this.#topics = topics.map(patternOf);
    this.#list = list;
  }

  get areThere(): boolean {
    return this.#topics.some((topic) => topic instanceof RegExp);
  }

  /** The names, and those that match now. */
  async subscribed(): Promise<readonly string[]> {
    const matching = await this.#matching();
    this.#matched = matching.join(', ');
    return [...new Set([...this.#topics.filter((topic) => typeof topic === 'string'), ...matching])];
  }

  /** Calls back when others match than at the last look. Gives what ends it. */
  watch(changed: (now: string) => Promise<void>): () => void {
    if (!this.areThere) return () => undefined;
    const look = async (): Promise<void> => {
      const now = (await this.#matching()).join(', ');
      if (now === this.#matched) return;
      this.#matched = now;
      await changed(now === '' ? 'none' : now);
    };
    // A broker that does not answer now is asked again.
    const looking = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS);
    return () => clearInterval(looking);
  }

  async #matching(): Promise<readonly string[]> {
    if (!this.areThere) return [];
    const all = await this.#list();
    return all.filter((name) => this.#topics.some((topic) => topic instanceof RegExp && topic.test(name))).sort();
  }
}

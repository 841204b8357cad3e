/** Options as somebody gives them: only those without a default are needed. */
export type Given<T, Needed extends keyof T = never> = Pick<T, Needed> & Partial<T>;

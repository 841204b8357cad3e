import { z } from 'zod';

/** An object with exactly one of the keys. */
export type ExactlyOne<T> = { [K in keyof T]: { readonly [P in K]: T[P] } }[keyof T];

// Checks on a whole mapping also run beside faults in its keys: every fault is to be told at once.
export const besideFaults = {
  when: ({ value }: { value: unknown }): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value),
};

type Issues = readonly { code?: string | undefined; path?: PropertyKey[] | undefined }[];

/** The unknown key is probably the one that is missed: one fault is enough. */
export function hasUnknownKey(issues: Issues): boolean {
  return issues.some(({ code, path = [] }) => code === 'unrecognized_keys' && path.length === 0);
}

/** A mapping with exactly one of the keys, as YAML writes "one of these things, configured so". */
export function exactlyOne<T>(
  shape: { readonly [K in keyof T]: z.ZodType<T[K]> },
  description: string,
): z.ZodType<ExactlyOne<T>> {
  const keys = Object.keys(shape);
  const options = Object.entries<z.ZodType>(shape).map(([key, type]) => [key, type.exactOptional()] as const);
  const schema = z
    .strictObject(Object.fromEntries(options))
    .superRefine((value, context) => {
      const given = keys.filter((key) => key in value);
      if (given.length === 1 || (given.length === 0 && hasUnknownKey(context.issues))) return;
      const message = `expected exactly one of ${keys.join(', ')}`;
      if (given.length > 1) context.addIssue({ code: 'custom', message: `${message}, got ${given.join(' and ')}` });
      else context.addIssue({ code: 'custom', message, params: { missing: true } });
    }, besideFaults)
    .meta({ description, minProperties: 1, maxProperties: 1 });
  // That exactly one key is there is what was just checked; the compiler cannot follow.
  return schema as unknown as z.ZodType<ExactlyOne<T>>;
}

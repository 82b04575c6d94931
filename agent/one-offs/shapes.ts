import { z } from 'zod';

const cells = z.int().min(1).max(10_000);

/** Parts of what peers ask of one another about one-offs and the insides of dynos. */
export const ttyShape = z.object({ columns: cells, rows: cells, term: z.string().max(100) }).nullable();

export const idShape = <T extends string>() => z.string().min(1).max(200) as unknown as z.ZodType<T>;

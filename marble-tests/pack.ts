import * as millrace from '../src/index.js';
import * as stages from '../src/stages.js';

/** Everything that is an operator: the pack, and the stages of log events. */
export const pack: typeof millrace & typeof stages = { ...millrace, ...stages };

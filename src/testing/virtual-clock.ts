import { VirtualTimeScheduler } from 'rxjs';

/** Virtual time that moves only when it is told to. */
export class VirtualClock extends VirtualTimeScheduler {
  /** Does what is due up to a time, in its order; stops after the action that makes `isOver` true. */
  runUntil(timeMs: number, isOver: () => boolean = () => false): void {
    for (let action = this.actions[0]; action !== undefined && action.delay <= timeMs; action = this.actions[0]) {
      this.actions.shift();
      this.frame = action.delay;
      const error: unknown = action.execute(action.state, action.delay);
      if (error !== undefined) throw error as Error;
      if (isOver()) return;
    }
    this.frame = Math.max(this.frame, timeMs);
  }

  runFor(ms: number, isOver?: () => boolean): void {
    this.runUntil(this.frame + ms, isOver);
  }
}

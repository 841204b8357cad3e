/** Something an operator of the service should know. The flow logs nothing itself; it reports, and the service logs. */
export interface Notice {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly code?: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

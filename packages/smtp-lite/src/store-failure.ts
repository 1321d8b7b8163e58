// An error on its way from one thread to another: of its properties, only those of Error itself would arrive.

/** An error of the file system as plain data; what is not known is `undefined`. */
export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
  readonly errno: number | undefined;
  readonly syscall: string | undefined;
  readonly path: string | undefined;
}

/** What another thread is told. */
export function toFailure(thrown: unknown): Failure {
  const error: NodeJS.ErrnoException = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { message, code, errno, syscall, path } = error;
  return { message, code, errno, syscall, path };
}

/** The error again, made here. */
export function fromFailure({ message, ...properties }: Failure): Error {
  const known = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.assign(new Error(message), Object.fromEntries(known));
}

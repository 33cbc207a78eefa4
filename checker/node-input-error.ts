/** What the user gave cannot be used. The message is one line and names the culprit; the command line exits with 2. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

/** The message of whatever was thrown, on one line. */
export function oneLine(error: unknown): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const text = message.replace(/\s*\n\s*/g, ' ').trim()
  return name === 'Error' || name === 'ProgramError' || name === 'ScheduleError' ? text : `${name}: ${text}`
}

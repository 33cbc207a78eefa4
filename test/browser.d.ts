/** What browsers have beyond ECMA-262 and the DOM, for `tsconfig.browser.json`. */
interface ErrorConstructor {
  /** How many frames a stack has. Of V8 and JavaScriptCore; elsewhere it is `undefined`, and setting it does nothing. */
  stackTraceLimit: number
}

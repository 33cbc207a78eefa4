// Entries must be JavaScript on Node 20.
import { tsImport } from 'tsx/esm/api'

await tsImport('./queue-victim.ts', import.meta.url)

import { cases } from '../../specs/queue/cases.ts'
import { structureOf, testCases, testStructure } from './structure.ts'

const queue = await structureOf('queue')
testStructure(queue)
testCases(queue, cases)

import { appendGradients } from '../../src/autodiff/backward';
import { GraphBuilder, OPSET } from '../../src/autodiff/builder';
import providers from '../../src/autodiff/providerOperators.json';
import { Value } from '../../src/autodiff/value';
import { sampoObjective } from '../../src/sampo/objective';
import { RULE_CASES } from './ruleCases';
import { prepareCase } from './ruleGraph';

const listed: Record<string, Record<string, number>> = providers.providers;

/** Operators that gradient rules write for a case, the operator itself aside. */
function writtenBy(test: (typeof RULE_CASES)[number]): string[] {
  const { b, outputs, differentiable } = prepareCase(test);
  const before = b.nodes.length;
  const loss = outputs.map((output) => b.total(output)).reduce((sum, part) => b.add(sum, part));
  appendGradients(b, loss, differentiable);
  return b.nodes.slice(before).map((node) => node.op);
}

function writtenByObjective(): string[] {
  const b = new GraphBuilder();
  b.input('masks', 'float32', [1, 3, 4, 4]);
  b.input('scores', 'float32', [1, 3]);
  const objective = sampoObjective(
    { beta: 1, lambdaDpo: 1, lambdaRank: 1, lambdaSegment: 1, lambdaScore: 1 },
    { masks: 'masks', scores: 'scores' },
    2,
  );
  const { loss, metrics } = objective({ builder: b, value: (name) => new Value(b, name) });
  appendGradients(b, loss.name, ['masks', 'scores']);
  Object.entries(metrics).forEach(([name, metric]) => b.output(name, metric.name));
  return b.nodes.map((node) => node.op);
}

const written = [...new Set([...RULE_CASES.flatMap(writtenBy), ...writtenByObjective()])].sort();

it('looks at a fair number of operators, for the opset that is written', () => {
  expect(written.length).toBeGreaterThan(25);
  expect(providers.opset).toBe(OPSET);
});

it.each(['cpu', 'cuda', 'webgpu'])('writes only operators that the %s provider has', (provider) => {
  expect(written.filter((op) => listed[provider]?.[op] === undefined)).toEqual([]);
});

it('lists nothing that was never written', () => {
  const rewritten = ['Erf', 'Identity', 'LayerNormalization', 'Tanh'];
  const known = new Set([...written, ...rewritten]);
  for (const operators of Object.values(listed))
    expect(Object.keys(operators).filter((op) => !known.has(op))).toEqual([]);
});

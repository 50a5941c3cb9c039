import { eachPair, lossPart, type LossInput, type LossPart, type LossSizes } from './lossPart';
import { diceLoss, dpoLoss, focalLoss, rankLoss, scoreLoss } from './losses';
import { logRatio, logRatios } from './margin';
import { headLogits } from './mining';

/** Share of the pixel loss that heads other than the best one get where one is shown, so that each stays alive. */
const OTHER_HEADS = 0.3;

const perPair = ({ pairs }: LossSizes): number[] => [pairs];
const perPairAndMask = ({ pairs, masks }: LossSizes): number[] => [pairs, masks];
const perMask = ({ masks }: LossSizes): number[] => [1, masks];
const plane = ({ height, width }: LossSizes): number[] => [1, 1, height, width];

/** What a preference counts. */
const pairWeights: LossInput = {
  dims: perPair,
  fill: eachPair((row, { weight = 1 }) => row.fill(weight)),
};

/** L_dpo: the decoder comes to answer as the user prefers, more than the one it started from does. */
const preference = lossPart({
  metric: 'lossDpo',
  weight: ({ lambdaDpo }) => lambdaDpo,
  inputs: {
    pairDirections: {
      dims: ({ pairs, height, width }) => [pairs, height * width],
      fill: eachPair((row, { direction }) => row.set(direction.weights)),
    },
    /** Whose logits the margin reads. */
    pairHeads: {
      dims: perPairAndMask,
      fill: eachPair((row, { head }) => {
        if (head === 'mean') row.fill(1 / row.length);
        else row[head] = 1;
      }),
    },
    pairWeights,
    /** Log-ratios of the reference. */
    referenceMargins: {
      dims: perPair,
      fill: eachPair((row, { direction, head }, { reference }) =>
        row.fill(logRatio(direction, headLogits(reference, head))),
      ),
    },
  },
  loss: ({ masks }, { pairHeads, pairDirections, ...inputs }, { beta, labelSmoothing }) => {
    const batch = {
      policyLogRatios: logRatios(masks, pairDirections, pairHeads),
      referenceLogRatios: inputs.referenceMargins,
      weights: inputs.pairWeights,
    };
    const { loss, margins } = dpoLoss(batch, beta, labelSmoothing);
    return { loss, metrics: { margins } };
  },
});

/** L_rank: of two masks of one prompt, the better one gets the higher score. */
const rank = lossPart({
  metric: 'lossRank',
  weight: ({ lambdaRank }) => lambdaRank,
  inputs: {
    rankDirections: {
      dims: perPairAndMask,
      fill: eachPair((row, { rank: order }) => {
        if (order === undefined) return;
        row[order.chosen] = 1;
        row[order.rejected] = -1;
      }),
    },
    rankWeights: {
      dims: perPair,
      fill: eachPair((row, { rank: order }) => row.fill(order === undefined ? 0 : 1)),
    },
  },
  loss: ({ scores }, { rankDirections, rankWeights }) => ({
    loss: rankLoss(scores, rankDirections, rankWeights),
  }),
});

/** L_seg: every mask comes to hold the wanted pixels and no unwanted one. */
const segmentation = lossPart({
  metric: 'lossSegment',
  weight: ({ lambdaSegment }) => lambdaSegment,
  inputs: {
    target: { dims: plane, fill: (values, { judged }) => values.set(judged.target) },
    /** What a pixel counts. */
    judged: { dims: plane, fill: (values, { judged }) => values.set(judged.weights) },
    segmentHeads: {
      dims: perMask,
      fill: (values, { answer: { utilities, shown } }) => {
        const best = Math.max(...utilities);
        values.set(utilities.map((utility) => (utility === best || shown === 'mean' ? 1 : OTHER_HEADS)));
      },
    },
  },
  loss: ({ masks }, { target, judged, segmentHeads }) => {
    const batch = { logits: masks, target, pixelWeights: judged, headWeights: segmentHeads };
    return { loss: diceLoss(batch).add(focalLoss(batch)) };
  },
});

/** L_score: a mask's score tells its IoU. */
const score = lossPart({
  metric: 'lossScore',
  weight: ({ lambdaScore }) => lambdaScore,
  inputs: {
    scoreTargets: { dims: perMask, fill: (values, { answer }) => values.set(answer.utilities) },
    scoreHeads: { dims: perMask, fill: (values) => values.fill(1) },
  },
  loss: ({ scores }, { scoreTargets, scoreHeads }) => ({
    loss: scoreLoss(scores, scoreTargets, scoreHeads),
  }),
});

/** The parts of the hybrid loss, in the order they are added up. */
export const LOSS_PARTS: readonly LossPart[] = [preference, rank, segmentation, score];

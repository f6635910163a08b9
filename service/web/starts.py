"""Words to begin with, by field of research: those that bring something in this house."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.errors import Sentence
from service.flows.estimate import count_each
from service.flows.runtime import Runtime
from service.matching.parse import parse_keywords
from service.matching.query import Query

MOST = 8
"""Shown at most."""
LEAST = 2
"""Papers of the last 30 days that such words must bring to be shown."""
_COUNTED_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Start:
    """name: of the field · words: a list that its people would type."""

    name: Sentence
    words: str

    @property
    def query(self) -> Query:
        return parse_keywords(self.words)


STARTS = (
    Start(Sentence("Language models"), "LLM, reasoning, in-context learning, hallucination"),
    Start(Sentence("Agents"), "LLM agents, tool use, computer use, multi-agent"),
    Start(Sentence("Vision"), "object detection, segmentation, image generation, depth estimation"),
    Start(Sentence("Video and 3D"), "video generation, Gaussian splatting, world model, NeRF"),
    Start(Sentence("Speech and sound"), "speech recognition, text-to-speech, audio, music"),
    Start(Sentence("Robots"), "robot, manipulation, vision-language-action, humanoid"),
    Start(Sentence("Search and retrieval"), "RAG, retrieval-augmented generation, reranking"),
    Start(Sentence("Reinforcement learning"), "reinforcement learning, reward model, RLHF, GRPO"),
    Start(Sentence("Smaller and faster"), "LoRA, PEFT, quantization, distillation, KV cache"),
    Start(Sentence("Safety"), "jailbreak, red teaming, interpretability, alignment"),
    Start(Sentence("Graphs"), "graph neural network, knowledge graph, link prediction"),
    Start(Sentence("Learning theory"), "generalization bound, convergence rate, optimal transport"),
    Start(Sentence("Medicine"), "clinical trial, medical imaging, electronic health records"),
    Start(Sentence("Biology"), "protein, single-cell, genomics, gene expression"),
    Start(Sentence("Brain"), "neural recordings, EEG, fMRI, cortex"),
    Start(Sentence("Chemistry and materials"), "molecule, drug discovery, crystal, catalyst"),
    Start(Sentence("Physics"), "quantum computing, superconductivity, dark matter, plasma"),
    Start(Sentence("Climate and Earth"), "climate, weather forecasting, remote sensing"),
    Start(Sentence("Economics"), "causal inference, labor market, monetary policy, auction"),
    Start(Sentence("Security"), "malware, side channel, differential privacy, cryptography"),
)


class Starts:
    """What is shown in one house."""

    def __init__(self) -> None:
        self._known: tuple[datetime, tuple[Start, ...]] | None = None

    def of(self, rt: Runtime) -> tuple[Start, ...]:
        """The fields with most papers, in the order above; counted every ten minutes at most."""
        now = rt.clock()
        if self._known is None or abs(now - self._known[0]) > _COUNTED_FOR:
            counts = count_each(rt, [start.query for start in STARTS])
            best = sorted(range(len(STARTS)), key=lambda n: -counts[n])[:MOST]
            self._known = (now, tuple(STARTS[n] for n in sorted(best) if counts[n] >= LEAST))
        return self._known[1]

"""The review's fMRI systems, and how each is fitted here; those of Aghdam 2019 stand in `aghdam2019`.

What a system is given, what it learns within the fold and what differs from its paper stands with its paper.
"""

from functools import partial
from typing import Any

from sklearn.pipeline import Pipeline

from offline.estimators import MEMBERS, Consensus
from offline.estimators.deep_bayesian import DeepBayesianClassifier
from offline.estimators.torch_deep_belief import DeepBeliefClassifier
from offline.estimators.torch_stacked_autoencoder import StackedAutoEncoderClassifier
from offline.features import LocallyLinear
from offline.studies.base import Paper, PaperClaim, Study
from offline.studies.systems.models import Best, behind_best, behind_elimination

STAND_IN = (
    "Run on ASD as a stand-in where there are no ADHD series: then nothing is compared with the published "
    "figure"
)


def dynamic_svm(*, kernel: str, random_state: int) -> Any:
    """A support vector machine on every region's variability."""
    return MEMBERS[f"{kernel}-svm"]()


def embedded_neighbours(*, components: int, neighbours: int, random_state: int) -> Any:
    """Edges chosen, embedded by the training people, nearest neighbours."""
    return Pipeline(
        [
            ("best", Best(2000)),
            ("embedded", LocallyLinear(n_components=components, n_neighbors=neighbours)),
            ("classifier", MEMBERS["k-nearest-neighbours"]()),
        ]
    )


WANG2018 = Study(
    name="wang2018",
    title="SVM on dynamic connectivity (Wang and Jiao 2018)",
    paper=Paper(
        "Wang XH, Jiao Y, Li L (2018). Identifying individuals with attention deficit hyperactivity disorder "
        "based on temporal variability of dynamic functional connectivity. Scientific Reports 8:11789.",
        disorder="ADHD",
        claims=(
            PaperClaim("leave one out", 78.75, 76.0, 80.71),
            PaperClaim("10-fold", 75.54, 70.5, 77.44),
        ),
        unstated=("whether regions were chosen on the test people too",),
        one_site_of=80,
    ),
    ours="Temporal variability of each region's connectivity in windows of 40 s; nothing is chosen outside "
    f"the fold. Its leave-one-out is repeated on one site. {STAND_IN}s.",
    table="temporal variability",
    model=dynamic_svm,
    settings=({"kernel": "linear"}, {"kernel": "rbf"}),
    not_exportable_because="which of its two machines is chosen follows from the data, and the one with a "
    "radial basis predicts in studies only",
)
JUNG2019 = Study(
    name="jung2019",
    title="SVM with recursive elimination (Jung 2019)",
    paper=Paper(
        "Jung M, Tu Y, Park J, Jorgenson K, Lang C, Song W, Kong J (2019). Surface-based shared and distinct "
        "resting functional connectivity in attention-deficit hyperactivity disorder and autism spectrum "
        "disorder. British Journal of Psychiatry 214:339-344.",
        claims=(
            PaperClaim("ADHD/TD, boys 7 to 15", 84.1),
            PaperClaim("ASD/TD", 76.3),
            PaperClaim("ASD/ADHD", 79.3),
        ),
        unstated=("how far sites and diagnoses went together",),
    ),
    ours="Correlations of regions of the volume instead of the surface, everybody's age and sex; elimination "
    "within the fold. ASD against ADHD is refused where no site holds both.",
    table="correlation",
    model=partial(behind_elimination, "linear-svm"),
    settings=({"kept": 100}, {"kept": 500}, {"kept": 2000}),
)
KUANG2014 = Study(
    name="kuang2014",
    title="Deep belief network on frequencies (Kuang 2014)",
    paper=Paper(
        "Kuang D, Guo X, An X, Zhao Y, He L (2014). Discrimination of ADHD based on fMRI data with deep "
        "belief network. Intelligent Computing in Bioinformatics, LNCS 8590:225-232.",
        disorder="ADHD",
        claims=(
            PaperClaim("ADHD types and TD, NYU", 44.4),
            PaperClaim("NeuroImage", 55.6),
            PaperClaim("Peking", 80.9),
        ),
        unstated=("how regions were chosen", "how training stops"),
    ),
    ours=f"Amplitude spectra of all regions, max-pooled onto one grid of frequencies. {STAND_IN}s.",
    table="spectrum",
    model=partial(behind_best, DeepBeliefClassifier.quick),
    settings=({"columns": 200}, {"columns": 800}),
    fit_s=0.2,
)
HAO2015 = Study(
    name="hao2015",
    title="Deep Bayesian network (Hao 2015)",
    paper=Paper(
        "Hao AJ, He BL, Yin CH (2015). Discrimination of ADHD children based on deep Bayesian network. "
        "IET International Conference on Biomedical Image and Signal Processing.",
        disorder="ADHD",
        claims=(
            PaperClaim("ADHD types and TD, NYU", 48.8),
            PaperClaim("NeuroImage", 54.0),
            PaperClaim("KKI", 72.7),
        ),
        unstated=("which four regions, and how they were found", "how features were made discrete"),
    ),
    ours=f"Four groups of the spectra's chosen cells instead of four regions. {STAND_IN}s.",
    table="spectrum",
    model=partial(behind_best, DeepBayesianClassifier.quick),
    settings=({"columns": 200},),
    not_exportable_because="its Bayesian network predicts in studies only",
    fit_s=0.25,
)
XIAO2019 = Study(
    name="xiao2019",
    title="Stacked auto-encoder, whole band (Xiao 2019)",
    paper=Paper(
        "Xiao Z, Wu J, Wang C, Jia N, Yang X (2019). Computer-aided diagnosis of school-aged children with "
        "ASD using full frequency bands and enhanced SAE. Experimental and Therapeutic Medicine "
        "17:4055-4063.",
        claims=(PaperClaim("ASD/TD, school age", 96.26, 98.03, 93.62),),
        unstated=(
            "which people components were chosen on",
            "sizes of layers, penalties, when training stops",
        ),
    ),
    ours="Amplitude spectra of all regions on one frequency grid instead of hand-chosen components; columns "
    "chosen, layers pretrained and fine-tuned within the fold.",
    table="spectrum",
    model=partial(behind_best, StackedAutoEncoderClassifier.quick),
    settings=({"columns": 200}, {"columns": 800}),
    fit_s=0.15,
)
AGHDAM2018 = Study(
    name="aghdam2018",
    title="Deep belief network, depth 3 (Aghdam 2018)",
    paper=Paper(
        "Akhavan Aghdam M, Sharifi A, Pedram MM (2018). Combination of rs-fMRI and sMRI data to discriminate "
        "autism spectrum disorders in young children using deep belief network. Journal of Digital Imaging "
        "31:895-903.",
        claims=(PaperClaim("ASD/TD aged 5 to 10, ABIDE I and II; majority 62.7", 65.56, 84.0, 32.96),),
        unstated=("how grey and white matter were put together with the function", "penalties"),
    ),
    ours="Amplitude and fractional amplitude of low-frequency fluctuations of all regions; no grey or white "
    "matter, for these data have none; all ages.",
    table="low frequency",
    model=DeepBeliefClassifier.quick,
    settings=({"weight_decay": 0.1}, {"weight_decay": 1.0}),
)
SIDHU2019 = Study(
    name="sidhu2019",
    title="Locally linear embedding (Sidhu 2019)",
    paper=Paper(
        "Sidhu G (2019). Locally linear embedding and fMRI feature selection in psychiatric classification. "
        "IEEE Journal of Translational Engineering in Health and Medicine 7:2200211.",
        disorder="ADHD",
        claims=(PaperClaim("11 data sets, leave one out", 80.0),),
        unstated=("how many neighbours and dimensions each data set had",),
        one_site_of=40,
    ),
    ours="Correlations of regions instead of single voxels; points chosen and embedded within the fold, "
    "where the paper scored them by the test people. Its leave-one-out is repeated on one site of about its "
    f"size. {STAND_IN}.",
    table="correlation",
    model=embedded_neighbours,
    settings=({"components": 5, "neighbours": 12}, {"components": 20, "neighbours": 30}),
    not_exportable_because="a new person is embedded among the training people themselves, whose features it "
    "would have to carry",
)
DESHPANDE2015 = Study(
    name="deshpande2015",
    title="Fully connected cascade (Deshpande 2015)",
    paper=Paper(
        "Deshpande G, Wang P, Rangaprakash D, Wilamowski B (2015). Fully connected cascade artificial neural "
        "network architecture for attention deficit hyperactivity disorder classification from functional "
        "magnetic resonance imaging data. IEEE Transactions on Cybernetics 45:2668-2679.",
        disorder="ADHD",
        claims=(PaperClaim("ADHD/TD", 90.0), PaperClaim("inattentive/combined", 95.0)),
        unstated=("whether features were chosen on the test people too", "sizes of the cascade"),
    ),
    ours=f"Correlations and Granger causality of all regions, eliminated within the fold. {STAND_IN}.",
    table="effective connectivity",
    model=partial(behind_elimination, "fully-connected-cascade"),
    settings=({"kept": 60}, {"kept": 200}),
    not_exportable_because="its cascade predicts in studies only",
    fit_s=0.6,
)
CONSENSUS = Study(
    name="consensus18",
    title="Consensus of 18 classifiers (Lanka 2020)",
    paper=Paper(
        "Lanka P, Rangaprakash D, Dretsch MN, Katz JS, Denney TS, Deshpande G (2020). Supervised machine "
        "learning for diagnostic classification from large-scale neuroimaging datasets. Brain Imaging and "
        "Behavior 14:2378-2416.",
        claims=(PaperClaim("four disorders; its authors report overfitting on unmatched hold-outs"),),
        unstated=("settings of the single classifiers on each data set",),
    ),
    ours="All eighteen, each after a reduction within the fold to at most 500 edges; a majority of votes.",
    table="correlation",
    model=Consensus,
    not_exportable_because="most of its eighteen classifiers predict in studies only",
    fit_s=2.8,
)

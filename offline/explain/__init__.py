"""Why a network predicted what it predicted: where on the head, and when within the window.

Every map is of the *margin*: the logit of the predicted label less the mean of the others.  A map
shows what a network used, on windows of people it had not seen; it says nothing of what causes what in
a brain, and it is only believed if it changes when the network's weights are drawn anew and recurs from fold
to fold.
"""

"""
The statistics of a canary judge: arrays in, frozen results out.

Nothing here knows of services, pods, clocks or files, and nothing but numpy and
`scipy.special` is imported, so this package could ship as a library of its own.
Baseline comes before canary in every signature, every p-value is one-sided (the canary
is worse) unless its name says otherwise, and no result is ever NaN.

    fisher          one-look Fisher test: p, mid-p, odds ratio; of one table or a million
    sequential      Fisher's test looked at as often as one likes
    batch           the same for many past releases at once
    paths           the arrays beneath both: counts on paths that have not crossed yet
    spending        how much alpha may be used by when
    ranks           Mann-Whitney on histogram buckets, against a stretched baseline
    placements      θ and its standard error, shared by those who rank
    samples         few values, one per pod: Mann-Whitney counted out, Brunner-Munzel with t
    native          native histograms as plain buckets
    strata          ranks within each traffic step: van Elteren
    scale           by what factor: where a rank test turns
    tails           where the slowest requests begin, and what a stretch makes of them
    stretch         the baseline's histogram, were every request slower by a factor
    levels          a gauge's level between pods: t with a prior, Welch's, permutations; on logarithms
    trend           leaks: slopes of the pods by Theil and Sen, compared between pods
    thinning        long series kept short, for slopes
    dispersion      pods differ and errors clump: by how much to widen
    null            what a good release may look like: tolerance, pods, clumps
    late            bets on harm that begins at any block
    absence         something that one version does and the other never does
    earlier         a rate against windows of the time before
    mismatch        is a share off by more than a factor of its odds, looked at once
    share           does the canary get the share of requests that it was promised
    noise           how noisy a check is, learnt from its pods as sums that add
    binomial        a share that was counted, few of few: Clopper-Pearson
    multiplicity    many checks at once: Holm, Benjamini-Hochberg
    noninferiority  harm is excluded: the test behind a pass
    power           what could have been seen, and what is still needed
    betabinomial    the distribution of clumped errors, shared by the above
"""

"""Which tests are slow, beside those that say so themselves.

Of many ways that have to agree, the default run takes a few; `pytest -m slow`
takes the others. Patterns of node ids, each with what the default run keeps.
"""

import re

SLOW = {
  # Every wrapper, layout and number of devices: one or two of each kind stay.
  r'test_parallel.*::test_looking_changes_no_bit\[(?!shard_map-8-layout7)': (
    'one of ten ways'
  ),
  r'test_parallel.*::test_whoever_looks_sees_the_same': 'that no bit changes',
  r'test_parallel.*::test_one_looks_only_when_it_is_due\[layout0': 'another',
  r'test_parallel.*::test_same_update_on_any_number_of_devices\[(?!8-jit)': (
    'one of nine ways'
  ),
  r'test_parallel.*::test_batch_means_penalties_and_dynamics'
  r'\[(?!all-shard_map)': 'all at once by shard_map, on eight devices',
  r'test_parallel.*::test_seeds_are_runs_of_their_own'
  r'\[(?!8-4-shard)': 'one of nine ways',
  r'test_conditionings.*::test_the_same_on_any_number_of_devices'
  r'\[(?!d2d_ce-shard_map)': 'D2D-CE by shard_map, on eight devices',
  r'test_dynamics_spectra.*::test_(the_radius|two_thousand).*'
  r'\[(symplectic|momentum, sim|lookahead|unrolled|positive|negative|prox)': (
    'extragradient, optimistic, consensus, and those without a memory'
  ),
  r'test_spectrum.*::test_networks_with_adam': 'the toys, by both methods',
  r'test_dynamics_resume.*\[(?!lookahead)': 'lookahead around optimistic',
  r'test_dynamics.*::test_the_same_on_eight_devices'
  r'\[(?!lookahead-shard_map)': 'with memory',
  r'devices/test_penalties.*::test_the_same_on_any_number_of_devices'
  r'\[(?!changes-shard_map)': 'changes by shard_map',
  r'test_paths_and_packs.*::test_(the_average_length_is|each_example)': 'packs',
  r'devices/test_augmentations.*\[noise-shard': 'cutmix, which sees the batch',
  r'test_dynamics_options.*::test_another_value.*\[(?!lookahead)': 'lookahead',
  r'test_penalties_options.*::test_another_value.*\[(?!lecam|top_k|fd_r1)': (
    'a penalty, a term and a change'
  ),
  r'test_sampling_ways.*::test_(codes_are_set|walks_of|at_psi_0)': (
    'latents and styles that are moved'
  ),
  r'test_sampling_corrected.*::test_(rejected_samples|scores_are)': 'chains',
  r'test_sampling_ratio.*::test_(independence|langevin_ends)': 'rejection',
  r'test_compatibility.*::test_a_forced_run': 'what is refused',
  r'test_stylegan2\.py::test_training_mixes': 'where styles are mixed',
  r'test_augment_ada_gates.*::test_it_is_the_groups': 'each transform',
  r'test_ema.*::test_a_run_keeps_several': 'averages by formulas',
  r'test_path_length.*::test_of_stylegan2': 'a linear generator',
  r'test_dynamics_options.*::test_(microbatches|a_seed_beside).*'
  r'\[(?!consensus)': 'consensus',
  r'test_sampling_strips.*::test_(a_layer_may|a_sample_of|points_of.*ED\])': (
    'directions by formulas, points of a plane'
  ),
  r'test_winograd.*::test_padded_and.*-size[02]-': 'strided ones',
  r'test_winograd.*::test_the_algorithm.*-sizes2-': 'larger grids',
  r'test_parallel.*::test_layouts_agree\[2-': 'one device',
  r'test_parallel.*::test_where_a_run_is_cut.*-(seen|in turn)\]': (
    'seeds in turn that are looked at'
  ),
  r'test_parallel.*::test_streamed_batches_equal.*\[(?!shard_map)': 'shard_map',
  r'test_parallel.*::test_seeds_in_turn_are_bitwise': 'seeds are runs, by vmap',
  r'test_compilations.*::test_(a_rate_that_optax_looks_at|another_structure)': (
    'other numbers'
  ),
  r'test_determinism.*::test_(jit_and_pmap_on_one|a_batch_over_devices)': (
    'resumed in another process'
  ),
  # Every number and dtype.
  r'test_shuffling.*::test_(batches_straddle|every_perm).*\[[2346]\]': 'others',
  r'test_losses.*extreme_logits\[bfloat16': 'float32',
  r'test_losses.*::test_jit_vmap_and_grad\[\w+-': 'each loss as it is',
  r'test_penalties.*::test_value_is_the_formula.*\[shape[01]-\w+-': (
    'images; other shapes without options'
  ),
  r'test_random_conv.*::test_distances_grow.*\[1\]': 'pictures of 24 pixels',
  r'test_classifier\.py::test_classifier_learns_digits': (
    'real samples teach the classes, in test_classifier_accuracy'
  ),
  r'test_inception\.py::test_resizing_and_bias': 'features of any size',
  r'test_state\.py::test_the_state_of_every_optimizer': 'of every recipe',
  r'test_new_files.*\[model, metric': 'six other components',
  r'test_conditioning\.py::test_cold_and_degenerate.*\[single': 'usual ones',
  r'test_new_kind.*::test_(streams_from_disk|trains_and)': 'kinds that ship',
  r'test_evaluate\.py::test_features\[random_conv': (
    'pixels, a classifier; random_conv in test_scoring'
  ),
  r'test_conformance.*\[(models-timegan|penalties-supervised)': (
    'shapes and formulas, in test_timegan'
  ),
  r'test_options.*::test_another_value.*\[(gru_gan|quantgan|char_gan|'
  r'sagan|biggan|sndcgan|infogan|stylegan|r3gan|gat|sngan|gumbel_lstm)': (
    'rcgan and dcgan; the others are held by formulas'
  ),
  r'test_unused_options.*::test_recipes_have.*\[(?!digits|ring8)': 'others',
  r'test_plan.*::test_every_recipe_without.*\[(?!mnist\]|ring8)': (
    'one whose data are made, and one without them'
  ),
  r'test_state.*::test_every_leaf_of_every_recipe\[(?!digits|ring8|sines)': (
    'a recipe of three kinds'
  ),
  r'test_encoder_models.*::test_a_code_is_drawn': 'the terms of a law',
  r'test_pairs.*::test_one_of_each_kind.*\[(image|labels|point)': 'others',
  r'test_models_text.*::test_(characters_are_drawn|labels_change)': 'formulas',
  r'test_wavegan.*::test_(a_shuffled_sound|penalties_take|shifts_are)': (
    'that shifts move a sound, and its counts'
  ),
  r'test_timegan.*::test_(d_waits_below|a_phase_moves)': 'a phase that is left',
  # Several processes that train as one.
  r'test_multihost.*::test_(?!alone|flags_that)': 'devices of one process',
  # Every recipe, every death: resuming is also tested file by file.
  r'test_resume.*::test_(?!a_damaged)': (
    'runs that are resumed by their own process, in test_hooks_in_runs'
  ),
  r'test_full_disk.*::test_a_run_on_a_full_disk_goes_on': 'one in one line',
  r'test_shuffling.*::test_same_under_no_jit': 'devices that share a batch',
  r'test_bad_flags.*::test_refused_by_a_process': 'what is refused without one',
  r'test_diagnosis.*::test_a_run_made_to_fail': 'rows of runs that failed',
  r'test_checkpoint_processes.*::test_kill_9_always': 'a run that is killed',
  r'test_divergence.*::test_(a_run_goes_on_until|what_is_clipped|a_run_ends|'
  r'the_step_is_found)': 'one run that diverges',
  r'test_engines.*::test_(a_killed_worker|machines_that|slurm_takes|told_to)': (
    'a job that kills its workers'
  ),
  r'test_players.*::test_(a_step_that_broke|any_number_of_devices)': (
    'a run that is resumed'
  ),
  r'test_interrupt.*::test_an_interrupted_score': 'a goal that is owed',
  r'test_lock.*::test_(of_two_that_start|who_slept)': 'one that starts later',
  r'test_checkpoints.*::test_saves_leave_next_to_nothing': 'what is saved',
  r'test_commands.*::test_answers_come_at_once': 'what is answered',
  r'test_notebooks.*::test_notebook_runs': 'that they hold no outputs',
  r'test_families.*::test_published_networks'
  r'\[(\w+:(?!cifar10\]|mnist|s\]|t256)|biggan|r3gan2)': (
    'one variant of a family'
  ),
  r'test_conditioning_heads.*::test_every_architecture_takes.*'
  r'\[(?!mlp|sngan)': 'points, and one network of images',
  r'test_vector_conditions.*::test_every_architecture.*\[(?!mlp|sngan)': (
    'likewise'
  ),
  r'test_models\.py::test_(labels_change|images_lie).*'
  r'\[(biggan|sagan|r3gan|sndcgan|infogan|stylegan3)': (
    'sngan, dcgan, stylegan2 and gat'
  ),
  # Networks: a large one is built of what a small one is.
  r'test_models\.py::test_golden_parameter.*-(64|128|256|1024)-': '32 pixels',
  r'test_models\.py::test_golden_parameter.*\[(biggan_deep|gat)-32-\w+_[^0]': (
    'the first of several such'
  ),
  r'test_models_frozen.*\[(biggan|sagan|sndcgan)': 'sngan, by the same blocks',
  r'test_models_resnets.*::test_where_attention.*-(64|128|256)-': '32 pixels',
  r'test_models_resnets.*::test_any_size.*\[(biggan|sagan)': 'sngan',
  r'test_models_resnets.*::test_attention_is_where.*\[(biggan|sagan)': 'sngan',
  r'test_models_resnets.*::test_first_weights_of_biggan': 'those of sngan',
  r'test_r3gan2.*::test_(activations|noise_is|grey_is|what_a_network)': (
    'layers, and what is golden'
  ),
  r'test_stylegan2.*::test_styles_may_differ': 'frozen figures',
  r'test_specgan.*::test_a_step_counts': 'statistics of the batches seen',
  r'test_plan.*::test_a_series_costs': 'what the command prints',
  r'test_vectors.*::test_it_resumes': 'a recipe that is resumed',
  r'test_judges.*::test_a_judge_learns': 'equal fakes',
  r'test_divergence.*::test_a_dump_holds': 'what is replayed, in test_replay',
}


def is_slow(node_id: str) -> bool:
  """Whether a test is left out of the default run."""
  return any(re.search(pattern, node_id) for pattern in SLOW)
